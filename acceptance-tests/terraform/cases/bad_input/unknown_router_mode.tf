# A router mode that this release does not have.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  router {
    mode = "psychic" # error: psychic & round-robin
  }
}
