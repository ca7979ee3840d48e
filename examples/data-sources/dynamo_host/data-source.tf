terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

data "dynamo_host" "this" {}

output "room" {
  value = "${data.dynamo_host.this.memory_gb - data.dynamo_host.this.reserved.memory_gb} GB for containers"
}
