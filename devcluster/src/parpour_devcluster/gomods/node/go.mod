module parpour.dev/devcluster/gomods/node

go 1.25.0
