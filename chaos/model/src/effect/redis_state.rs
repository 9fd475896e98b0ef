//! States of a Redis in which it refuses some commands and serves the others.

/// Declares the states: a variant, its word in the language, and the error by which Redis 7 refuses in it.
macro_rules! states {
    ($($(#[$about:meta])+ $State:ident = $word:literal, $reply:literal;)+) => {
        /// A state of a Redis, and of its connections.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RedisState {
            $($(#[$about])+ $State,)+
        }

        impl RedisState {
            /// All states, in the order in which people are told of them.
            pub const ALL: &[Self] = &[$(Self::$State),+];

            /// The state's word in the language.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$State => $word),+ }
            }

            /// The error by which commands are refused in it, without the leading `-`.
            #[must_use]
            pub const fn reply(self) -> &'static str {
                match self { $(Self::$State => $reply),+ }
            }
        }
    };
}

states! {
    /// It reads its data after a start.
    Loading = "LOADING", "LOADING Redis is loading the dataset in memory";
    /// It is a replica.
    ReadOnly = "READONLY", "READONLY You can't write against a read only replica.";
    /// Its memory is full, and it may evict nothing.
    Oom = "OOM", "OOM command not allowed when used memory > 'maxmemory'.";
    /// The client has to authenticate first.
    NoAuth = "NOAUTH", "NOAUTH Authentication required.";
    /// It is a replica whose master is away, and serves no old data.
    MasterDown = "MASTERDOWN", "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    /// A script runs for too long.
    Busy = "BUSY", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    /// It has as many clients as it may: new ones are told so, and their connections are closed.
    MaxClients = "MAXCLIENTS", "ERR max number of clients reached";
    /// It can't save its data.
    Misconf = "MISCONF", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";
    /// It is a node of a cluster that lacks nodes for some keys.
    ClusterDown = "CLUSTERDOWN", "CLUSTERDOWN Hash slot not served";
}

impl RedisState {
    /// The state whose error this is, word for word.
    #[must_use]
    pub fn of_reply(reply: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.reply() == reply)
    }
}
