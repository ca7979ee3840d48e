# A mode that does not exist.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  mode              = "disagregated" # error: disagregated & aggregated & disaggregated
}
