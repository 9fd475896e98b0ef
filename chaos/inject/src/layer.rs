//! The seam between TCP and a link's protocol, for what is spoken below the protocol (TLS).

use chaos_model::effect::TlsAction;
use futures_util::future::BoxFuture;
use host::Stream;
use std::io;

/// A layer between TCP and the protocol of a link. Proxies know nothing of it: they read and write what is above.
pub trait Layer: Send + Sync {
    /// The layer of a connection that was just accepted.
    fn connection(&self) -> Box<dyn LayeredConnection>;

    /// The reasons, in words, for which connections failed since the layer is there, and not for what the system does.
    fn doubts(&self) -> Vec<String>;
}

/// The layer on both sides of one connection.
pub trait LayeredConnection: Send + Sync {
    /// Does this to the client from now on.
    fn act(&self, action: TlsAction);

    /// True once, where some of that was done while hands were shaken.
    fn has_acted(&self) -> bool;

    /// The client's side: gives at once what passes above the layer. Whatever the layer has to say before that, it says while
    /// it is read and written, so that no client holds up others.
    fn client(&self, stream: Stream) -> Stream;

    /// The service's side, for each time that it was dialled: ready once there is something above the layer. It may wait for
    /// what the client says.
    ///
    /// # Errors
    /// Whatever keeps the layer from being made. The client then sees what it sees of a service that can't be reached.
    fn service(&self, stream: Stream) -> BoxFuture<'static, io::Result<Stream>>;
}
