# One model behind NVIDIA Dynamo on this machine: a frontend with a KV-aware router, and two workers.
# The engine is Dynamo's own simulator, so no GPU is needed; everything else is the real thing.

terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

provider "dynamo" {} # no hosts: this machine's Docker

variable "model" {
  description = "Folder with the model's configuration and tokenizer, on the host."
  type        = string
}

variable "image" {
  description = "Image with Dynamo in it."
  type        = string
  default     = "dynamo-mocker:1.6.1"
}

variable "image_pull_policy" {
  description = "`never` for an image that was built here, `missing` for one that a registry has."
  type        = string
  default     = "never"
}

resource "dynamo_deployment" "chat" {
  name              = "quickstart"
  engine            = "mocker"
  image             = var.image
  image_pull_policy = var.image_pull_policy
  model             = var.model
  served_model_name = "tiny"

  router {
    mode = "kv"
  }
}

resource "dynamo_worker" "chat" {
  count      = 2
  deployment = dynamo_deployment.chat
}

output "endpoint" {
  description = "Where the OpenAI API is served."
  value       = dynamo_deployment.chat.endpoint
}

output "model" {
  description = "What to call the model in requests."
  value       = dynamo_deployment.chat.served_model_name
}
