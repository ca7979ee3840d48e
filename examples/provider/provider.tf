terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

variable "ssh_key" {
  description = "Private key for the GPU machines."
  type        = string
  sensitive   = true
  ephemeral   = true # stays out of plan files
  default     = null # then DYNAMO_SSH_PRIVATE_KEY in the environment
}

variable "ngc_key" {
  type      = string
  sensitive = true
  default   = ""
}

# All of it may be left out: then there is one host, "local", which is this machine's Docker.
provider "dynamo" {
  hosts = {
    local = {
      model_paths = ["/srv"]
      model_cache = "/var/lib/dynamo/huggingface"
      reserved    = { cpus = 1, memory_gb = 4 }
    }

    gpu-a = {
      address     = "10.0.0.11"
      user        = "ubuntu"
      private_key = var.ssh_key
      host_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICzYsVAlFp8UjPRJ5T41Ilm5Lj72FfpLO/ctFcEiizSb"

      bastion = {
        address  = "192.0.2.1"
        host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN85lbsYEWY37J8x2RlunVu2nGPGds1szq9XWTYoU+x7"
      }
    }
  }
  registry_auth = {
    "nvcr.io" = { username = "$oauthtoken", password = var.ngc_key }
  }
}
