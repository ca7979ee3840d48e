# vLLM with LMCache over several hosts. The frontend is on `var.first`; each worker says where it is, what it does, and whether
# it should run.
variable "first" {}
variable "address" {}
variable "cache_gb" { default = 1 }
variable "server" {
  type    = bool
  default = null
}
variable "env" {
  type    = map(string)
  default = {}
}
variable "workers" { type = map(object({ host = string, role = optional(string), state = optional(string) })) }

resource "dynamo_deployment" "chat" {
  name              = var.name
  host              = var.first
  engine            = "vllm"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  network           = "host"
  mode              = contains(values(var.workers)[*].role, "prefill") ? "disaggregated" : "aggregated"
  # So that the other host may ask as well.
  bind_address = var.address

  connector {
    type         = "lmcache"
    cpu_cache_gb = var.cache_gb
    server       = var.server
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
  for_each      = var.workers
  host          = each.value.host
  role          = coalesce(each.value.role, "decode")
  desired_state = coalesce(each.value.state, "running")
  deployment    = dynamo_deployment.chat
  gpu_count     = 1
  env           = var.env
}
