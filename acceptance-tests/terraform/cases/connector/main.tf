# vLLM with a connector. `var.modules` is a folder of the host with stand-ins for the Python modules that an image of vLLM has,
# or null.
variable "modules" {
  type    = string
  default = null
}
variable "connector" { default = "kvbm" }
variable "cache_gb" { default = 1 }
variable "disk" {
  type    = object({ gb = number, path = optional(string) })
  default = null
}
variable "server" {
  type    = bool
  default = null
}
variable "roles" {
  type    = map(string)
  default = { a = "decode" }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "vllm"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  mode              = contains(values(var.roles), "prefill") ? "disaggregated" : "aggregated"

  connector {
    type            = var.connector
    cpu_cache_gb    = var.cache_gb
    disk_cache_gb   = try(var.disk.gb, null)
    disk_cache_path = try(var.disk.path, null)
    server          = var.server
  }

  docker {
    # Not every machine that runs tests may lift them.
    dynamic "ulimit" {
      for_each = ["memlock", "nofile"]
      content {
        name = ulimit.value
        soft = 4096
      }
    }
  }
}

resource "dynamo_worker" "chat" {
  for_each   = var.roles
  role       = each.value
  deployment = dynamo_deployment.chat
  gpu_count  = 1
  env        = var.modules == null ? {} : { PYTHONPATH = "/opt/modules" }

  docker {
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
