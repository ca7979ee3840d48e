terraform {
  required_providers {
    dynamo = {
      source = "terraform-provider-dynamo/dynamo"
    }
  }
}

data "dynamo_host_directory" "srv" {
  path = "/srv"
}

output "folders" {
  value = [for entry in data.dynamo_host_directory.srv.entries : entry.name if entry.kind == "folder"]
}

output "disk_with_most_room" {
  value = [
    for disk in data.dynamo_host_directory.srv.disks : disk.mount
    if disk.free_gb == max(data.dynamo_host_directory.srv.disks[*].free_gb...)
  ]
}
