//! Images that carry our labels, as `docker commit` of one of our containers makes them.

use super::super::{
    Case,
    harness::Scene,
    world::{Bystander, Client, containers, docker, inspect},
};

pub const CASES: &[Case] = &[
    ("a_container_of_an_image_with_our_labels_is_ours", ours),
    ("a_strangers_container_of_such_an_image_is_the_strangers", a_strangers),
];

/// An image made of a container of the deployment, which goes when it goes out of scope.
struct Baked(String);

impl Baked {
    fn of(scene: &Scene, component: &str) -> Self {
        let image = format!("{}-baked:{component}", scene.name);
        docker(&["commit", &containers(&scene.name, component)[0], &image]);
        Self(image)
    }
}

impl Drop for Baked {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker").args(["rmi", "--force", &self.0]).output();
    }
}

fn ours() {
    let first = Scene::of_case("quickstart");
    first.settle();
    for component in ["frontend", "worker"] {
        let image = Baked::of(&first, component);
        let mut second = Scene::of_case("quickstart");
        second.set("image", &image.0);
        second.set("workers", "1");
        let state = second.settle();
        Client::new(&state.text("dynamo_deployment.chat", "endpoint")).chats();
        // What the image inherited from a container of another role says nothing of this one.
        let frontend = &containers(&second.name, "frontend")[0];
        assert_eq!(inspect(frontend, "{{index .Config.Labels \"io.dynamo-terraform.role\"}}"), "");
        second.end();
    }
    first.plan().is_empty();
    first.end();
}

/// Nobody says that it is ours but its image.
fn a_strangers() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "1");
    scene.settle();
    let image = Baked::of(&scene, "worker");
    let name = format!("{}-strangers", scene.name);
    let stranger = Stranger::of(&name, &image.0);
    scene.plan().is_empty();
    scene.destroy().succeeds();
    assert_eq!(inspect(&stranger.0, "{{.State.Running}}"), "true");
}

/// As [`Bystander`], of an image that is not its own.
struct Stranger(String);

impl Stranger {
    fn of(name: &str, image: &str) -> Self {
        let stranger = Self(name.to_owned());
        docker(&["run", "--detach", "--name", name, "--entrypoint", "sleep", image, "600"]);
        stranger
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(Bystander { name: self.0.clone() });
    }
}
