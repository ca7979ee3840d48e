terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

provider "dynamo" {
  # A model of one's own, and one that is known with another parser.
  models = {
    "/data/models/support-8b" = {
      tags            = ["chat"]
      parameters      = 8030261248
      weights_gb      = 14.96
      context_length  = 131072
      layers          = 32
      attention_heads = 32
      kv_heads        = 8
      head_dim        = 128
      engine_args     = { enforce-eager = "true" }
    }
    "Qwen/Qwen3-8B" = {
      reasoning_parser = "deepseek_r1"
    }
  }
}

# Models for one GPU of 24 GB that can call tools and need no token.
data "dynamo_model_catalog" "small" {
  tags          = ["chat", "tools"]
  max_memory_gb = 21
  gated         = false
}

output "candidates" {
  value = { for model in data.dynamo_model_catalog.small.models : model.name => "${model.memory_gb} GB, ${model.license}" }
}
