terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

# All of it may be left out: then there is one host, "local", which is this machine's Docker.
provider "dynamo" {
  hosts = {
    local = {
      model_cache = "/var/lib/dynamo/huggingface"
      reserved    = { cpus = 1, memory_gb = 4 }
    }
  }
}
