terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

# Below the host's model_paths, and in its model_cache.
data "dynamo_installed_models" "here" {}

output "complete" {
  value = { for model in data.dynamo_installed_models.here.models : model.name => model.path if model.complete }
}
