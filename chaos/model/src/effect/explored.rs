//! Strengths at which an exploration tries an effect.

/// Keys of an effect with their values, as a fault would have them, besides its name, its target and its time.
pub type Strength = &'static [(&'static str, &'static str)];

/// Strengths of one kind, the strongest first: each is weaker than the one before it.
pub type Ladder = &'static [Strength];

/// The way in which an exploration tries an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Explored {
    /// By these strengths. What is found by one is shrunk down its ladder.
    By(&'static [Ladder]),
    /// Not at all, for this reason.
    Not(&'static str),
}

impl Explored {
    /// By the effect as it is: it has no key that makes it weaker.
    pub const ONCE: Self = Self::By(&[&[&[]]]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        effect::{Effect, Level},
        language,
    };
    use std::{collections::BTreeSet, path::Path};

    /// A fault of this effect with these keys, on a link or a service that it can act on.
    fn read(name: &str, level: Level, strength: Strength) -> Result<String, String> {
        let on = match level {
            Level::Services => "redis",
            Level::Commands => "web -> redis",
            Level::Connections | Level::Messages | Level::Requests | Level::Tls => "client -> web",
        };
        let mut text = format!(
            "title = \"it\"\nentry = \"web\"\nservice.web.program = \"gateway\"\nservice.web.env.A = \"redis://{{redis}}\"\n\
             service.redis.program = \"redis\"\n[load]\nrequest = \"GET /\"\nrate = \"1/s\"\nduration = \"9s\"\n\
             [[fault]]\nname = \"it\"\non = \"{on}\"\neffect = \"{name}\"\nat = \"1s\"\nfor = \"2s\"\n"
        );
        for (key, value) in strength {
            text += &format!("{key} = \"{value}\"\n");
        }
        text += "[[expect]]\nthat = \"it\"\nduring = \"it\"\nstatus.200 = \">= 10%\"\n";
        let read = language::load(Path::new("it.toml"), &[], &|_| Ok(text.clone()));
        read.map(|scenario| scenario.faults[0].effect.words()).map_err(|wrong| wrong.render(false, 100))
    }

    /// Strengths are what the language takes, and no two are one.
    #[test]
    fn each_strength_is_a_fault_of_its_own() {
        let mut tried = BTreeSet::new();
        for facts in Effect::ALL {
            let ladders = match facts.explored {
                Explored::By(ladders) => ladders,
                Explored::Not(why) => {
                    assert!(!why.is_empty());
                    continue;
                }
            };
            for strength in ladders.iter().copied().flatten() {
                let words = read(facts.name, facts.level, strength).unwrap_or_else(|wrong| panic!("{wrong}"));
                assert!(tried.insert((facts.name, *strength)), "{words} stands there twice");
            }
            assert!(!ladders.iter().any(|ladder| ladder.is_empty()), "{}", facts.name);
        }
        assert!(tried.len() > Effect::ALL.len(), "{}", tried.len());
    }
}
