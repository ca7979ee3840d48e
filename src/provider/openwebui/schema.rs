//! The attributes of `dynamo_openwebui`, each declared once.

use crate::container::Secret;
use crate::model;
use crate::provider::attributes::blocks::{DockerModel, ResourcesModel, TextMap, TimeoutsModel};
use crate::provider::attributes::containers::ContainerModel;
use crate::provider::attributes::secret_env::{SecretMap, has_secrets};
use crate::tf_provider::attr::{Attr, Block, Nested, NestedList, NestedMap};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{block, check, computed, optional, optional_computed};

pub const ABOUT: About = About {
    type_name: "dynamo_openwebui",
    description: "An [Open WebUI](https://github.com/open-webui/open-webui) in front of one or more `dynamo_deployment`s: a chat \
        page with accounts. It finds the models by itself, also where a frontend is not open to anybody else.\n\n\
        The resource is created when its health page answers. Chats, accounts and the key that signs sessions are in a Docker \
        volume, which outlives the container: a new release, another port or a removal and a new creation under the same name \
        find them again. Only `delete_data_on_destroy` removes them.\n\n\
        Settings stand here, and not in Open WebUI's database (`ENABLE_PERSISTENT_CONFIG` is `false`): what is changed under \
        *Admin Panel, Settings* in the page holds until the next start of the container. Set it through `env` to have it for \
        good; Open WebUI documents a variable for each. What people make in the page (accounts, chats, prompts, files) is data \
        and stays.",
};

model! {
    pub struct OpenWebuiModel {
        id: Attr<String> = computed("`host/name`.").stable(),
        deployment: Attr<Nested<SourceView>> = optional("The deployment to talk to, whole: `dynamo_deployment.chat`. Either this or \
            `deployments`."),
        deployments: Attr<NestedList<SourceView>> = optional("Several deployments whose models are offered side by side: \
            `[dynamo_deployment.chat, dynamo_deployment.code]`. A new chat begins with the first one's model."),
        host: Attr<String> = optional_computed("Entry of the provider's `hosts`. Left out: the (first) deployment's. Changing it replaces \
            the page; its data stays where it was.").replaces().stable(),
        name: Attr<String> = optional_computed("Name of the page; it begins the names of its container and its volume. Lower case letters, \
            digits and `-`, at most 40. Left out: the (first) deployment's. Changing it replaces the page, which then begins with empty \
            data.").replaces().stable(),
        version: Attr<String> = optional_computed("Release of Open WebUI, for example `0.12.4`; 0.7.0 or newer. Left out: the one that the \
            provider was tested with when the page was made. Null with an `image` of your own.").stable(),
        image: Attr<String> = optional_computed("Image. Left out: the project's own image of the release. One of your own must be made from \
            it: `bash`, `python3` and the working directory with `start.sh` are used."),
        image_pull_policy: Attr<String> = optional("When the image is downloaded: `missing` (only if it is not on the host), \
            `always`, or `never`.").default("missing"),
        port: Attr<i64> = optional_computed("Port of the page on the host. Left out: the first free one from 3000, picked when the \
            page is made and kept.").stable().check(check::between(1, 65535)),
        bind_address: Attr<String> = optional("Address on the host at which the page listens.").default("127.0.0.1"),
        auth: Attr<bool> = optional("Whether people log in. Open WebUI turns its login off only while there are no accounts.")
            .default(true),
        admin_email: Attr<String> = optional("Account of the administrator, which is made at the first start; further people can then not \
            sign up by themselves unless `env` has `ENABLE_SIGNUP = \"true\"`. Left out: whoever signs up first is the administrator."),
        admin_password: Attr<Secret> = optional("Password of that account. It reaches the container in a file that only its root reads, and \
            is in no state, no plan and not in the container's configuration. The page's first process has it in its environment, \
            from which the account is made; the file goes then, and no later process has it. The account has it from the creation of the page on; afterwards people change it in \
            the page, and another value here does nothing until `admin_password_version` is raised.").sensitive().write_only()
            .check(check::text("have 8 to 72 bytes, and no line break or NUL in it", is_password)),
        admin_password_version: Attr<i64> = optional("Raise it to have the account given the present `admin_password` again. This starts a \
            new container."),
        env: Attr<TextMap> = optional("Environment variables, as Open WebUI documents them. Not for secrets (`secret_env`): they are in the \
            state."),
        secret_env: Attr<SecretMap> = optional("Environment variables whose values are secret, for example `OAUTH_CLIENT_SECRET`, beside \
            `env`. Write-only: they are in no state and no plan, and in no label, log or error. Who may use Docker on the \
            host can read them. While there is no `secret_env_version`, a plan compares them with those of the container, and another \
            value makes a new one.").sensitive().write_only(),
        secret_env_version: Attr<String> = optional("Any text: a number, a date. With it the values of `secret_env` are not compared, and \
            another version than before makes a new container with the present values. For values that are others in each run, \
            such as those of ephemeral resources."),
        desired_state: Attr<String> = optional("`running`, or `stopped`: the container is kept but not run.").default("running")
            .check(check::one_of(["running", "stopped"])),
        delete_data_on_destroy: Attr<bool> = optional("Whether a removal of the page, also that which is the first half of a replacement, \
            removes its volume with all chats and accounts.").default(false),

        endpoint: Attr<String> = computed("URL of the page. Where it listens at all addresses (`0.0.0.0`), it has the host's \
            `advertise_address`.").stable(),
        container: Attr<String> = computed("Name of the container.").stable(),
        data_volume: Attr<String> = computed("Name of the Docker volume with the data.").stable(),
        secret_env_status: Attr<TextMap> = computed("The variables of `secret_env`, by name: `set`, or `missing` where the container lacks one. \
            In a plan one whose value will be another is not known yet.").stable(),
        image_id: Attr<String> = computed("Id of the image that it runs.").stable(),
        status: Attr<String> = computed("`running`, `stopped`, or what is wrong: `missing`, `exited`, `restarting`, … Planned as what \
            it should be, so that a page which died shows up in the plan and is brought back."),
        drift: Attr<Vec<Attr<String>>> = computed("What differs on the host from what was asked for, a sentence each; empty when all \
            is in order. Applying mends it."),
        containers: Attr<NestedMap<ContainerModel>> = computed("The container as it was last seen, under `openwebui`."),

        resources: Block<ResourcesModel> = block("Limits of the container. Left out: all but the host's reserve."),
        docker: Block<DockerModel> = block("Further options of `docker run`."),
        timeouts: Block<TimeoutsModel> = block("How long operations may take."),
    }
}

has_secrets!(OpenWebuiModel);

model! {
    /// What a page asks of a deployment: only what is stable, and whether it should run.
    pub struct SourceView {
        id: Attr<String> = optional("`host/name`."),
        name: Attr<String> = optional("Name of the deployment."),
        host: Attr<String> = optional("Host of the frontend."),
        dynamo_version: Attr<String> = optional("Dynamo release."),
        engine: Attr<String> = optional("Engine."),
        served_model_name: Attr<String> = optional("Name that clients use."),
        network: Attr<String> = optional("Kind of network."),
        port: Attr<i64> = optional("Port of the frontend on the host."),
        bind_address: Attr<String> = optional("Address on the host at which the frontend listens."),
        desired_state: Attr<String> = optional("`running` or `stopped`."),
    }
}

/// As Open WebUI takes it: bcrypt reads 72 bytes and no more.
fn is_password(text: &str) -> bool {
    (8..=72).contains(&text.len()) && !text.contains(['\n', '\r', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_those_that_can_be_used() {
        for good in ["12345678", "correct horse battery staple", &"x".repeat(72), "päßwörter"] {
            assert!(is_password(good), "{good}");
        }
        for bad in ["", "1234567", &"x".repeat(73), &"ä".repeat(37), "line\nbreak", "nul\0nul!"] {
            assert!(!is_password(bad), "{bad:?}");
        }
    }
}
