//! Flags of commands.

/// Declares the flags: a variant, and its name in `COMMAND INFO`.
macro_rules! flags {
    ($($(#[$about:meta])+ $Flag:ident = $name:literal,)+) => {
        /// A flag of a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flag {
            $($(#[$about])+ $Flag,)+
        }

        impl Flag {
            /// All flags.
            pub const ALL: &[Self] = &[$(Self::$Flag),+];

            /// The flag's name in `COMMAND INFO`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$Flag => $name),+ }
            }
        }
    };
}

flags! {
    /// The command may change keys.
    Write = "write",
    /// The command reads keys, and changes none.
    ReadOnly = "readonly",
    /// The command is refused where there is no memory left.
    DenyOom = "denyoom",
    /// The command administers the server.
    Admin = "admin",
    /// The command is about channels.
    PubSub = "pubsub",
    /// Scripts may not run it.
    NoScript = "noscript",
    /// The command may wait.
    Blocking = "blocking",
    /// The command is served while the data is loaded.
    Loading = "loading",
    /// The command is served by a replica whose master is away and that serves no old data.
    Stale = "stale",
    /// `MONITOR` does not show it.
    SkipMonitor = "skip_monitor",
    /// The slow log does not show it.
    SkipSlowlog = "skip_slowlog",
    /// The command asks for a slot that is being imported.
    Asking = "asking",
    /// The command takes a time that depends on nothing, or on a logarithm.
    Fast = "fast",
    /// The command is served without authentication.
    NoAuth = "no_auth",
    /// The command may be replicated, though it changes no keys.
    MayReplicate = "may_replicate",
    /// The command may have no keys.
    NoMandatoryKeys = "no_mandatory_keys",
    /// The command is refused while data is loaded in the background.
    NoAsyncLoading = "no_async_loading",
    /// The command is refused within a transaction.
    NoMulti = "no_multi",
    /// Places of its keys depend on other words.
    MovableKeys = "movablekeys",
    /// The command is served while a script runs for too long.
    AllowBusy = "allow_busy",
    /// The command has subcommands. Redis has no flag for it.
    Container = "(subcommands)",
}
