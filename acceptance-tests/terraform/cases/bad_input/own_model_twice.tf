# The hub does not tell upper from lower case.
# stage: validate
provider "dynamo" {
  models = {
    "acme/Tiny" = { gated = true } # error: the same model
    "Acme/tiny" = { gated = false }
  }
}

data "dynamo_model_catalog" "all" {}
