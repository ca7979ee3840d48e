# Prefill and decode on GPUs of their own, with a KV cache in memory and on disk beside the prefill workers.
#
# KVBM is in NVIDIA's images up to Dynamo 1.4 for certain; later ones are asked before a worker starts.
terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

variable "address" {
  description = "The machine with the GPUs."
  type        = string
  default     = "10.0.0.11"
}

variable "host_key" {
  description = "Content of /etc/ssh/ssh_host_ed25519_key.pub there."
  type        = string
  default     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrA7tFFW5zF1rmSDZ0BA1cBo1cKjeYQTyeZGQXAFZ1m"
}

provider "dynamo" {
  hosts = {
    gpu-a = {
      address  = var.address
      user     = "ubuntu"
      agent    = true
      host_key = var.host_key
    }
  }
}

resource "dynamo_deployment" "chat" {
  name           = "chat"
  engine         = "vllm"
  dynamo_version = "1.4.2"
  model          = "Qwen/Qwen3-8B"
  mode           = "disaggregated"

  engine_args         = { max-model-len = 16384 }
  prefill_engine_args = { max-num-batched-tokens = 16384 }

  router {
    mode = "kv"
  }

  connector {
    type            = "kvbm"
    cpu_cache_gb    = 64
    disk_cache_gb   = 200
    disk_cache_path = "/nvme/kv"
  }
}

# What is read in one go is done by these...
resource "dynamo_worker" "prefill" {
  count      = 1
  deployment = dynamo_deployment.chat
  role       = "prefill"
  gpu_count  = 1
}

# ... and what is written word by word by these.
resource "dynamo_worker" "decode" {
  count      = 2
  deployment = dynamo_deployment.chat
  role       = "decode"
  gpu_count  = 1
}

output "endpoint" {
  description = "Where the OpenAI API is served."
  value       = dynamo_deployment.chat.endpoint
}
