terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

data "dynamo_host_gpus" "this" {}

output "free_gpus" {
  value = data.dynamo_host_gpus.this.available
}

output "held_gpus" {
  value = {
    for gpu in data.dynamo_host_gpus.this.gpus : gpu.index => gpu.assigned_to
    if gpu.assigned_to != null
  }
}
