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

resource "dynamo_deployment" "chat" {
  name              = "chat"
  engine            = "mocker" # Dynamo's own simulator: needs no GPU, and makes its answers up
  model             = var.model
  served_model_name = "small"
  engine_args       = { block-size = 16 } # for all workers

  router {
    mode = "kv" # to the worker that has most of the prompt in its cache
  }

  resources { # of each container
    cpus      = 0.5
    memory_gb = 1
  }

  timeouts {
    create = "45m"
  }
}

output "endpoint" {
  description = "Where the OpenAI API is served, once there is a worker."
  value       = dynamo_deployment.chat.endpoint
}
