terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

provider "dynamo" {
  hosts = {
    gpu-a = {
      address     = "10.0.0.11"
      user        = "ubuntu"
      host_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICzYsVAlFp8UjPRJ5T41Ilm5Lj72FfpLO/ctFcEiizSb"
      model_paths = ["/data/models"]
    }
    gpu-b = {
      address     = "10.0.0.12"
      user        = "ubuntu"
      host_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN85lbsYEWY37J8x2RlunVu2nGPGds1szq9XWTYoU+x7"
      model_cache = "/data/huggingface"
    }
  }
}

variable "hub_token" {
  description = "Access token of the Hugging Face hub."
  type        = string
  ephemeral   = true
  default     = null
}

# Copied from another host, which has it in its model_cache or model_paths.
resource "dynamo_model" "copy" {
  host = "gpu-b"
  name = "meta-llama/Llama-3.1-8B-Instruct"

  source {
    host = "gpu-a"
  }

  timeouts {
    stall = "5m"
  }
}

# Downloaded from the hub before anything serves it.
resource "dynamo_model" "download" {
  host            = "gpu-b"
  name            = "Qwen/Qwen3-8B"
  keep_on_destroy = true

  source {
    huggingface = true
    token       = var.hub_token
  }
}

output "folder" {
  value = dynamo_model.copy.path # or its name: both are good for `model` of a deployment
}
