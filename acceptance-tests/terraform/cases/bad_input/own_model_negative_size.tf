# A size cannot be negative.
# stage: validate
provider "dynamo" { # error: weights_gb & must be greater than 0
  models = {
    "acme/Tiny" = {
      weights_gb = -2
    }
  }
}

data "dynamo_model_catalog" "all" {}
