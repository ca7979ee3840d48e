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

variable "workers" {
  description = "Number of workers. Changing it adds or removes some; the others are left alone."
  type        = number
  default     = 2
}

variable "hf_token" {
  description = "Access token of the Hugging Face hub, for models that need one. It is stored nowhere."
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
  count       = var.workers
  deployment  = dynamo_deployment.chat # the whole object: model, mode and release travel with it
  engine_args = { max-num-seqs = 128 }
  secret_env  = { HF_TOKEN = var.hf_token } # null: as if it were not written

  resources {
    cpus      = 0.5
    memory_gb = 1
  }
}

output "endpoint" {
  description = "Where the OpenAI API is served."
  value       = dynamo_deployment.chat.endpoint
}

output "model" {
  description = "What to call the model in requests."
  value       = dynamo_deployment.chat.served_model_name
}
