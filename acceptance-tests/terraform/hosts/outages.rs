//! What happens on the way: connections end, cables are cut, hosts are off.

use std::{process::Child, thread::sleep, time::Duration};

use super::{
    super::{Case, harness::Scene, world::wait_until},
    ask, chat_on, chats, end,
    lab::{Host, visit, with_key},
    wait_for_frontend,
};

pub const CASES: &[Case] = &[
    ("sshd_restarts_during_an_apply", sshd_restarts_during_an_apply),
    ("the_cable_is_cut_during_an_apply", cable_is_cut_during_an_apply),
    ("the_host_is_off_before_it_has_anything", host_is_off_before_it_has_anything),
    ("the_host_is_off_and_has_a_deployment", host_is_off_and_has_a_deployment),
];

/// An apply that goes on while something happens to the host must end well all the same.
fn goes_on(what_happens: impl FnOnce(&Host)) {
    let mut lab = visit();
    let host = lab.host();
    let scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    let apply: Child = scene.start_apply();
    wait_for_frontend(&host);
    what_happens(&host);
    let ended = apply.wait_with_output().unwrap().status;
    assert!(ended.success(), "apply ended with {ended}\n{}", scene.apply_log());
    let state = scene.settle();
    chats(&host, &state);
    end(&host, &scene);
}

/// All of the server's processes are killed, those of live connections too.
fn sshd_restarts_during_an_apply() {
    goes_on(|host| host.restart_sshd(&[]));
}

/// Long enough for requests to be under way, short enough for TCP to mend it.
fn cable_is_cut_during_an_apply() {
    goes_on(|host| {
        host.cut();
        sleep(Duration::from_secs(3));
        host.uncut();
    });
}

/// The host may be made in the same run: what can be planned without it is planned, and the user is told.
fn host_is_off_before_it_has_anything() {
    let mut lab = visit();
    let host = lab.host();
    let scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    host.power_off();
    scene
        .terraform(&["plan", "-input=false", "-no-color"])
        .succeeds()
        .says("gpu-a")
        .says(&host.address)
        .says("2 to add");
    scene.apply().fails().says("gpu-a").says(&host.address);
    host.power_on();
    let state = scene.settle();
    chats(&host, &state);
    end(&host, &scene);
}

/// What is there cannot be read: an error, which says how to plan without looking.
fn host_is_off_and_has_a_deployment() {
    let mut lab = visit();
    let host = lab.host();
    let scene: Scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    let before = scene.settle();
    host.power_off();
    scene
        .terraform(&["plan", "-input=false", "-no-color"])
        .fails()
        .says("gpu-a")
        .says(&host.address)
        .says("-refresh=false");
    let blind =
        scene.terraform(&["plan", "-refresh=false", "-input=false", "-no-color", "-detailed-exitcode"]);
    blind.succeeds(); // and finds nothing to change
    host.power_on();
    // What is in the containers starts with the host. If the frontend answers before its worker is back, the apply waits for
    // the worker; if neither does, nothing is known and nothing is done.
    scene.apply().succeeds();
    wait_until("the model is served again", || ask(&host, &before).is_ok());
    let state = scene.settle();
    chats(&host, &state);
    end(&host, &scene);
}
