terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

# What the host has, and what it would have to download.
data "dynamo_images" "mocker" {
  engine = "mocker"
}

output "to_download" {
  value = [for image in data.dynamo_images.mocker.images : image.image if image.known && !image.installed]
}
