terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

data "dynamo_containers" "chat" {
  deployment = "chat"
  lines      = 20
  usage      = true
}

output "not_running" {
  value = [for container in data.dynamo_containers.chat.containers : container.name if container.state != "running"]
}

# A log may hold anything: Terraform shows it only where it is asked to.
output "logs" {
  value     = { for container in data.dynamo_containers.chat.containers : container.name => container.log_tail }
  sensitive = true
}
