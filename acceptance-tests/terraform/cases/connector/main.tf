# vLLM with a connector. `var.modules` is a folder of the host with stand-ins for the Python modules that an image of vLLM has,
# or null.
variable "modules" {
  type    = string
  default = null
}
variable "connector" { default = "kvbm" }
variable "workers" { default = 1 }

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "vllm"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"

  connector {
    type         = var.connector
    cpu_cache_gb = 1
  }
}

resource "dynamo_worker" "chat" {
  count      = var.workers
  deployment = dynamo_deployment.chat
  gpu_count  = 1
  env        = var.modules == null ? {} : { PYTHONPATH = "/opt/modules" }

  docker {
    # Not every machine that runs tests may lift them.
    dynamic "ulimit" {
      for_each = ["memlock", "nofile"]
      content {
        name = ulimit.value
        soft = 4096
      }
    }
    dynamic "volume" {
      for_each = var.modules[*]
      content {
        host_path      = volume.value
        container_path = "/opt/modules"
        read_only      = true
      }
    }
  }
}
