mod connection;
mod edits;
mod streaming;
mod transparency;
mod wire;
