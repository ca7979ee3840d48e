# What the provider decides stays decided, also as a secret.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  secret_env        = { DYN_NAMESPACE = "elsewhere" } # error: DYN_NAMESPACE is decided by the provider
}
