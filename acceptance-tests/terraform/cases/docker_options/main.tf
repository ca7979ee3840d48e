# Everything that `docker run` would be told, on the deployment and over it on a worker.
variable "folder" { type = string }
variable "team" { default = "blue" }

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  env               = { DYN_LOG = "info", GREETING = "hello, \"world\" = $HOME" }
  engine_args       = { enable-prefix-caching = true, max-num-seqs = 64 }

  resources {
    cpus      = 0.5
    memory_gb = 0.75
  }
  docker {
    shm_size_gb = 0.125
    extra_hosts = { "registry.internal" = "10.9.8.7" }
    labels      = { team = var.team }

    volume {
      host_path      = var.folder
      container_path = "/data/shared"
      read_only      = true
    }
    ulimit {
      name = "nofile"
      soft = 4096
      hard = 8192
    }
  }
  timeouts {
    create = "5m"
  }
}

resource "dynamo_worker" "chat" {
  deployment  = dynamo_deployment.chat
  env         = { GREETING = "good evening" }
  engine_args = { max-num-seqs = 32 }

  resources {
    no_limit = true
  }
  docker {
    labels = { shift = "night" }
  }
}
