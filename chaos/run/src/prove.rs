//! Guards: whether exactly the named expectations broke once a protection was taken away.

use chaos_model::{Guard, Verdict, event::Judged};

/// What came of a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Expectations that should have failed and held all the same: they prove nothing.
    pub held: Vec<String>,
    /// Expectations that failed although the guard doesn't name them: the setting takes away more than it says.
    pub also_broke: Vec<String>,
    /// Expectations of which nothing can be said.
    pub unclear: Vec<String>,
}

impl Proof {
    /// Holds what was judged without the protection against what the guard names.
    #[must_use]
    pub fn of(guard: &Guard, judged: &[Judged]) -> Self {
        let names = |wanted: &dyn Fn(&Judged) -> bool| -> Vec<String> {
            judged.iter().filter(|judged| wanted(judged)).map(|judged| judged.that.clone()).collect()
        };
        let named = |judged: &Judged| guard.breaks.contains(&judged.that);
        Self {
            held: names(&|judged| named(judged) && judged.verdict == Verdict::Pass),
            also_broke: names(&|judged| !named(judged) && judged.verdict == Verdict::Fail),
            unclear: names(&|judged| judged.verdict == Verdict::Inconclusive),
        }
    }

    /// Whether exactly the named ones broke.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.held.is_empty() || !self.also_broke.is_empty() {
            Verdict::Fail
        } else if !self.unclear.is_empty() {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }
}
