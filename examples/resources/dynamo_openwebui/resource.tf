terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

variable "model" {
  description = "Hugging Face name, or an absolute path on the host."
  type        = string
  default     = "Qwen/Qwen3-0.6B"
}

variable "admin_email" {
  description = "Account of the page's administrator. Left out: whoever signs up first."
  type        = string
  default     = null
}

variable "admin_password" {
  description = "Password of that account. It is stored nowhere."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

resource "dynamo_deployment" "chat" {
  name   = "chat"
  engine = "mocker"
  model  = var.model
}

resource "dynamo_worker" "chat" {
  deployment = dynamo_deployment.chat
}

resource "dynamo_openwebui" "chat" {
  deployment     = dynamo_deployment.chat # it finds the model by itself
  admin_email    = var.admin_email
  admin_password = var.admin_password

  env = {
    WEBUI_NAME = "Team chat"
  }
}

output "page" {
  description = "Where to chat."
  value       = dynamo_openwebui.chat.endpoint
}
