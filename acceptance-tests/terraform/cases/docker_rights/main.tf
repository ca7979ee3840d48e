# Options that Docker spells in its own way, fills up with defaults of its own, or can change on a living container.
variable "folder" { type = string }
variable "network" { type = string }
variable "docker" {
  type    = object({ restart = string, log = map(string), runtime = string, nofile = bool })
  default = { restart = "always", log = { max-size = "5m" }, runtime = "runc", nofile = true }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"

  docker {
    networks           = [var.network]
    cap_add            = ["cap_sys_nice", "IPC_LOCK"]
    devices            = ["/dev/null:/dev/nothing:rw", "/dev/zero"]
    ipc                = "shareable"
    runtime            = var.docker.runtime
    log_driver         = "json-file"
    log_options        = var.docker.log
    restart            = var.docker.restart
    stop_grace_seconds = 25

    volume {
      host_path      = "${var.folder}/made/here"
      container_path = "/data/made"
      create         = true
    }
    dynamic "ulimit" {
      for_each = var.docker.nofile ? [1] : []
      content {
        name = "nofile"
        soft = 4096
      }
    }
  }
}

resource "dynamo_worker" "chat" {
  deployment = dynamo_deployment.chat

  docker {
    devices = ["/dev/full:/dev/nothing"]
    restart = "unless-stopped"
  }
}
