//! The msgpack object encoding.
