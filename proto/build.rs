//! Compiles the protocol files into Rust, with protox: nobody who builds this needs an installed protoc.

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    println_cargo("rerun-if-changed=proto");
    let files = protox::compile(["proto/tfplugin6.proto", "proto/plugin.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // Maps in key order: the same schema is the same bytes in every process.
        .btree_map(".")
        // Values hold secrets. Their `Debug` is written by hand, see src/tf_provider/wire.rs.
        .skip_debug(["tfplugin6.DynamicValue", "tfplugin6.RawState"])
        // An RPC that is not written answers `Unimplemented`, as the protocol expects of one not supported.
        .generate_default_stubs(true)
        .compile_fds(files)?;
    Ok(())
}

/// Speaks to cargo, which listens on stdout.
#[allow(clippy::print_stdout)]
fn println_cargo(directive: &str) {
    println!("cargo:{directive}");
}
