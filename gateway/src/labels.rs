//! The closed sets of words that metrics, bodies and logs share. One enum a set, so that a word outside of it can't be
//! written, and every series can exist at zero from the start.

/// A word of a closed set.
pub(crate) trait Label: Copy + 'static {
    /// The whole set.
    const ALL: &'static [Self];

    /// The word as metrics, bodies and logs show it.
    fn label(self) -> &'static str;
}

/// Declares an enum with a word for each variant.
macro_rules! labels {
    ($(#[doc = $doc:literal])* $name:ident $(as $schema:literal)? {
        $($(#[doc = $variant_doc:literal])* $variant:ident = $word:literal,)+
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name { $($(#[doc = $variant_doc])* $variant,)+ }

        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn label(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.label())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let meanings = [$(($word, concat!($($variant_doc,)*)),)+];
                crate::schema::words(concat!($($doc,)*), &meanings)
            }
        }

        impl utoipa::ToSchema for $name {
            $(fn name() -> std::borrow::Cow<'static, str> { $schema.into() })?
        }
    };
}

labels! {
    /// Limits by which requests are turned away.
    Shed {
        Requests = "requests",
        ClientRate = "client_rate",
    }
}

labels! {
    /// Reasons to refuse a bearer token.
    TokenFault {
        Missing = "missing",
        Malformed = "malformed",
        Algorithm = "algorithm",
        Signature = "signature",
        Expired = "expired",
        NotYetValid = "not_yet_valid",
        Issuer = "issuer",
        Audience = "audience",
        OtherUser = "other_user",
    }
}

labels! {
    /// A service behind the gateway.
    Service {
        User = "user",
        Order = "order",
        Product = "product",
    }
}

labels! {
    /// The reason why a call to a service, or a part of a response, failed. The contract's set: breakers, bulkheads and budgets have
    /// their words already.
    Code {
        Timeout = "timeout",
        DeadlineExceeded = "deadline_exceeded",
        ConnectRefused = "connect_refused",
        ConnectTimeout = "connect_timeout",
        Dns = "dns",
        Reset = "reset",
        Status4xx = "status_4xx",
        Status5xx = "status_5xx",
        BadPayload = "bad_payload",
        BodyTooLarge = "body_too_large",
        CircuitOpen = "circuit_open",
        BulkheadFull = "bulkhead_full",
        RetryBudget = "retry_budget",
        SkippedDependency = "skipped_dependency",
    }
}

labels! {
    /// A tier of the cache.
    Tier {
        Redis = "redis",
        Memory = "memory",
    }
}

labels! {
    /// The freshness of what a tier gave.
    Freshness {
        Fresh = "fresh",
        Stale = "stale",
    }
}

labels! {
    /// The reason why a tier gave nothing.
    Miss {
        /// The tier has no such key.
        Absent = "absent",
        /// It has, but its time is over.
        Expired = "expired",
        /// The other tier has one that was gathered later.
        Older = "older",
        /// There is no connection: it was not asked.
        Down = "down",
        /// Redis is back, and asked for a share of lookups: this one was not in it.
        Warming = "warming",
        /// No response in time.
        Timeout = "timeout",
        /// Nobody listens where Redis should be.
        Refused = "refused",
        /// No connection or greeting in time.
        ConnectTimeout = "connect_timeout",
        /// The connection broke.
        Reset = "reset",
        /// The bytes that came are no Redis protocol.
        Protocol = "protocol",
        /// The reply belongs to another question: the connection is dropped.
        OutOfStep = "out_of_step",
        /// Redis still reads its data from disk.
        Loading = "loading",
        /// It is a replica, after a failover maybe, and takes no writes.
        Readonly = "readonly",
        /// It is full, and takes no writes.
        Oom = "oom",
        /// It wants a password.
        NoAuth = "noauth",
        /// It wants another password.
        WrongPass = "wrongpass",
        /// This user may not do that.
        NoPerm = "noperm",
        /// It has as many clients as it may.
        MaxClients = "max_clients",
        /// The server answered with any other error.
        ServerError = "server_error",
        /// It no longer has what it was given: it came back without its data, was flushed, or evicts.
        Empty = "empty",
        /// The key holds no string.
        WrongType = "wrong_type",
        /// Truncated or garbled.
        Corrupt = "corrupt",
        /// Written by another version of the gateway.
        Version = "version",
        /// Somebody else's value: replies are out of step.
        WrongKey = "wrong_key",
        /// The client went away while the tier was asked.
        Cancelled = "cancelled",
    }
}

labels! {
    /// Results of writes to Redis.
    Write {
        Ok = "ok",
        Timeout = "timeout",
        /// The connection broke.
        Error = "error",
        /// The server answered with an error.
        ServerError = "server_error",
        /// There is no connection, or writes failed too often: it was not asked.
        Down = "down",
        /// The queue was full.
        Dropped = "dropped",
        /// The entry was no longer fresh when its turn came.
        Expired = "expired",
    }
}

labels! {
    /// Results of attempts to connect to Redis.
    Connect {
        Ok = "ok",
        Refused = "refused",
        /// No connection, handshake or first reply in time.
        Timeout = "timeout",
        /// Connecting went well, but the greeting failed.
        Handshake = "handshake",
        Error = "error",
    }
}

labels! {
    /// Uses of Redis, each judged apart.
    RedisAccess {
        Read = "read",
        Write = "write",
    }
}

labels! {
    /// The use of Redis.
    RedisMode {
        /// Redis is asked.
        Up = "up",
        /// It still is, though the last replies failed.
        Suspect = "suspect",
        /// It was away, and is asked by a growing share of lookups.
        Warming = "warming",
        /// It isn't: the supervisor alone looks whether it is back.
        Open = "open",
    }
}

labels! {
    /// Sources of cached responses just now.
    Mode {
        Redis = "redis",
        Memory = "memory",
        None = "none",
    }
}

labels! {
    /// Outcomes of aggregations. A user that does not exist is a complete response: all of it is known.
    Outcome {
        Complete = "complete",
        Partial = "partial",
        Stale = "stale",
        Failed = "failed",
    }
}

labels! {
    /// The worth of a part of a response.
    PartState as "State" {
        Fresh = "fresh",
        Stale = "stale",
        Partial = "partial",
        Failed = "failed",
        Skipped = "skipped",
        NotFound = "not_found",
    }
}

labels! {
    /// The origin of a part of a response.
    Source {
        Origin = "origin",
        Redis = "redis",
        Memory = "memory",
    }
}

labels! {
    /// The place of a part in the body (RFC 6901).
    Pointer {
        User = "/user",
        Orders = "/orders",
        Products = "/products",
    }
}

labels! {
    /// A route, by its template.
    Route {
        Profile = "/api/profile/{user_id}",
        Health = "/health",
        Live = "/health/live",
        Ready = "/health/ready",
        Metrics = "/metrics",
        OpenApi = "/openapi.json",
        Docs = "/docs",
        DocsFile = "/docs/{*file}",
        Unmatched = "unmatched",
    }
}

labels! {
    /// A method; whatever a client invents is `OTHER`.
    Method {
        Get = "GET",
        Head = "HEAD",
        Post = "POST",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
        Options = "OPTIONS",
        Other = "OTHER",
    }
}

impl Method {
    /// The word for a request's method.
    pub(crate) fn of(method: &http::Method) -> Self {
        Self::ALL.iter().copied().find(|known| known.label() == method.as_str()).unwrap_or(Self::Other)
    }
}

impl Method {
    /// Tells if any route takes the method.
    pub(crate) fn is_answered(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

impl Route {
    /// The route that `template` belongs to; `None` is no route at all.
    pub(crate) fn of(template: Option<&str>) -> Self {
        Self::ALL.iter().copied().find(|route| Some(route.label()) == template).unwrap_or(Self::Unmatched)
    }
}

impl Miss {
    /// Tells a failure from what is just not there.
    pub(crate) fn is_failure(self) -> bool {
        !matches!(self, Self::Absent | Self::Expired | Self::Older | Self::Down | Self::Warming | Self::Cancelled)
    }
}

impl From<Tier> for Source {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Redis => Self::Redis,
            Tier::Memory => Self::Memory,
        }
    }
}

impl Code {
    /// Tells if time ran out, so that the gateway responds with 504 and not 502.
    pub(crate) fn is_timeout(self) -> bool {
        matches!(self, Self::Timeout | Self::DeadlineExceeded | Self::ConnectTimeout)
    }

    /// Tells if the gateway spared the service the call, so that it responds with 503 where nothing is usable.
    pub(crate) fn is_unavailable(self) -> bool {
        matches!(self, Self::CircuitOpen | Self::BulkheadFull)
    }

    /// True where the same request may succeed a moment later.
    pub(crate) fn is_retryable(self) -> bool {
        !matches!(self, Self::Status4xx | Self::BadPayload | Self::BodyTooLarge)
    }
}

labels! {
    /// Components that `/health` tells of.
    Component {
        User = "user-service",
        Order = "order-service",
        Product = "product-service",
        Redis = "redis",
        Memory = "memory",
    }
}

labels! {
    /// The state of a component.
    Status {
        /// Not looked at yet.
        Unknown = "unknown",
        Up = "up",
        Down = "down",
        /// Switched off by a setting.
        Off = "off",
    }
}

labels! {
    /// The state of the whole, as `/health` says it.
    Overall {
        /// All is well.
        Ok = "ok",
        /// Profiles are answered, with less than they could be.
        Degraded = "degraded",
        /// No profile can be gathered.
        Down = "down",
    }
}

labels! {
    /// The gateway runs, or wants requests.
    Readiness {
        Ok = "ok",
    }
}

impl From<Service> for Component {
    fn from(service: Service) -> Self {
        match service {
            Service::User => Self::User,
            Service::Order => Self::Order,
            Service::Product => Self::Product,
        }
    }
}

labels! {
    /// The state of a service's circuit, as `/health` tells it.
    CircuitState {
        Closed = "closed",
        Open = "open",
        HalfOpen = "half_open",
        /// Switched off by a setting.
        Off = "off",
    }
}

impl From<Option<BreakerState>> for CircuitState {
    fn from(circuit: Option<BreakerState>) -> Self {
        match circuit {
            Some(BreakerState::Closed) => Self::Closed,
            Some(BreakerState::Open) => Self::Open,
            Some(BreakerState::HalfOpen) => Self::HalfOpen,
            None => Self::Off,
        }
    }
}

labels! {
    /// The state of a service's circuit.
    BreakerState {
        Closed = "closed",
        Open = "open",
        HalfOpen = "half_open",
    }
}

labels! {
    /// Reasons not to make a failed call again.
    Refused {
        /// Retries are a small share of calls.
        Budget = "budget",
        /// Too little time was left.
        Deadline = "deadline",
    }
}
