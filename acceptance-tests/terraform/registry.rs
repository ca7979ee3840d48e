//! A real registry (Debian's `docker-registry`) on a loopback port, with a login and an image in it. It goes with this
//! value.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use super::{
    harness::DYING_IMAGE,
    world::{docker, free_port, wait_until},
};

pub const USER: &str = "somebody";
pub const PASSWORD: &str = "hunter2";
/// `PASSWORD` as `htpasswd -B` writes it.
const HASH: &str = "$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.";

pub struct Registry {
    process: Child,
    /// Its files, and Docker's note of the login.
    folder: tempfile::TempDir,
    pub address: String,
    images: Vec<String>,
}

impl Registry {
    /// Speaks plain HTTP, as Docker takes it from a loopback address.
    pub fn start() -> Self {
        Self::serve(tempfile::tempdir().unwrap(), "127.0.0.1", "")
    }

    /// Speaks HTTPS at `host`, with a certificate of its own making.
    pub fn start_with_tls(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        std::fs::write(folder.path().join("tls.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
        let tls =
            format!("  tls:\n    certificate: {0}/tls.pem\n    key: {0}/tls.key\n", folder.path().display());
        Self::serve(folder, host, &tls)
    }

    fn serve(folder: tempfile::TempDir, host: &str, tls: &str) -> Self {
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let port = free_port();
        let settings = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{tls}\
             auth:\n  htpasswd:\n    realm: lab\n    path: {}\n",
            path("images"),
            path("htpasswd")
        );
        std::fs::write(path("htpasswd"), format!("{USER}:{HASH}\n")).unwrap();
        std::fs::write(path("config.yml"), settings).unwrap();
        let mut command = Command::new("docker-registry");
        command.args(["serve", &path("config.yml")]).stdout(Stdio::null()).stderr(Stdio::null());
        let process =
            command.spawn().expect("docker-registry is not on the PATH: install the package of that name");
        let registry = Self { process, folder, address: format!("{host}:{port}"), images: Vec::new() };
        wait_until("the registry listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        registry
    }

    /// What to trust to trust it.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.pem")
    }

    /// Gives the registry the image that dies at once under this name, which the host forgets again.
    pub fn hold(&mut self, name: &str) -> String {
        let image = format!("{}/{name}", self.address);
        docker(&["tag", DYING_IMAGE, &image]);
        self.images.push(image.clone());
        let settings = self.folder.path().join("docker");
        let settings = settings.to_str().unwrap();
        docker(&["--config", settings, "login", "--username", USER, "--password", PASSWORD, &self.address]);
        docker(&["--config", settings, "push", "--quiet", &image]);
        docker(&["image", "rm", &image]);
        image
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        for image in &self.images {
            let _ = Command::new("docker").args(["image", "rm", image]).output();
        }
    }
}
