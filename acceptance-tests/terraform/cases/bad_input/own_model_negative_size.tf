# A size cannot be negative.
# stage: validate
provider "dynamo" {
  models = {
    "acme/Tiny" = {
      weights_gb = -2 # error: must be greater than 0
    }
  }
}

data "dynamo_model_catalog" "all" {}
