terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
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
  }
  registry_auth = {
    "nvcr.io" = { username = "$oauthtoken", password = var.ngc_key }
  }
}
