mod attribution;
mod connection;
mod edits;
mod library;
mod streaming;
mod transparency;
mod wire;
