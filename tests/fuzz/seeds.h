#pragma once

#include <string>
#include <vector>

// The seeds of each fuzz target: small inputs, valid and nearly so, that a fuzzer starts from. Made
// up throughout; no picture shows anybody.
namespace facegate {

struct Seed {
  std::string name;  // of the file
  std::string bytes;
};

std::vector<Seed> DecodeSeeds();
std::vector<Seed> ExifSeeds();
std::vector<Seed> SafetensorsSeeds();
std::vector<Seed> TorchPickleSeeds();
std::vector<Seed> OnnxSeeds();
std::vector<Seed> OnnxGraphSeeds();
std::vector<Seed> DescriptionSeeds();
std::vector<Seed> KerasSeeds();
std::vector<Seed> RecordSeeds();
std::vector<Seed> RequestSeeds();
std::vector<Seed> PackSeeds();
std::vector<Seed> RecordIoSeeds();
std::vector<Seed> TfRecordSeeds();
std::vector<Seed> ArchiveSeeds();
std::vector<Seed> IdxSeeds();
std::vector<Seed> PickledPairsSeeds();
std::vector<Seed> BcolzPairsSeeds();
std::vector<Seed> MemfilePairsSeeds();
std::vector<Seed> ListsSeeds();

}  // namespace facegate
