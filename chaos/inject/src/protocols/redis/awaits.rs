//! The replies that a command awaits.

/// The replies that a command awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaits {
    /// One reply.
    Reply,
    /// One reply, which says what version of the protocol it is in.
    Hello,
    /// One reply, which ends what was agreed on.
    Reset,
    /// One reply, behind which commands of others are shown.
    Monitor,
    /// One reply, which says whether this transaction is open.
    Multi(u64),
    /// So many confirmations with this name, or an error. Of all subscriptions that there are, where no number is known.
    Confirmations(&'static str, Option<u64>),
    /// Nothing.
    Nothing,
    /// Whatever it likes: replies can't be told apart any more.
    Anything,
}
