terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

locals {
  fit = provider::dynamo::model_fit("meta-llama/Llama-3.1-8B-Instruct", 24, { max_model_len = 8192 })
}

output "fit" {
  value = local.fit.message

  precondition {
    condition     = local.fit.fits
    error_message = local.fit.message
  }
}
