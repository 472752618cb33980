import civlab

results = civlab.open("sweep/")
print(results.manifest.digest)

members = results.pandas("members")
print(members.groupby("parameter:disease.r0")[["attack_rate", "peak_tick", "deaths"]].mean())
