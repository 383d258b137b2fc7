// Writes the seeds of all fuzz targets: make_fuzz_corpus tests/fuzz/corpus. The same bytes each
// time, as long as OpenCV's encoders stay the same. Inputs that a fuzzer found lie beside them and
// are not touched.
#include <cstdio>
#include <filesystem>
#include <utility>

#include "face/base/check.h"
#include "face/base/file.h"
#include "tests/fuzz/seeds.h"

namespace facegate {
namespace {

// Larger seeds make a fuzzer slow.
constexpr size_t kMaxSeedBytes = 8 << 10;

int WriteCorpus(const std::filesystem::path& corpus) {
  const std::pair<const char*, std::vector<Seed>> targets[] = {
      {"decode", DecodeSeeds()},
      {"exif", ExifSeeds()},
      {"safetensors", SafetensorsSeeds()},
      {"torch_pickle", TorchPickleSeeds()},
      {"onnx", OnnxSeeds()},
      {"onnx_graph", OnnxGraphSeeds()},
      {"description", DescriptionSeeds()},
      {"keras", KerasSeeds()},
      {"record", RecordSeeds()},
      {"request", RequestSeeds()},
      {"pack", PackSeeds()},
      {"record_io", RecordIoSeeds()},
      {"tf_record", TfRecordSeeds()},
      {"archive", ArchiveSeeds()},
      {"idx", IdxSeeds()},
      {"pickled_pairs", PickledPairsSeeds()},
      {"bcolz_pairs", BcolzPairsSeeds()},
      {"memfile_pairs", MemfilePairsSeeds()},
      {"lists", ListsSeeds()}};
  for (const auto& [target, seeds] : targets) {
    std::filesystem::create_directories(corpus / target);
    size_t total = 0;
    for (const Seed& seed : seeds) {
      FACEGATE_CHECK(seed.bytes.size() <= kMaxSeedBytes);
      const Status written =
          WriteFileAtomically((corpus / target / seed.name).string(), seed.bytes);
      if (!written.ok()) {
        std::fprintf(stderr, "%s\n", written.ToString().c_str());
        return 1;
      }
      total += seed.bytes.size();
    }
    std::printf("%s: %zu seeds, %zu bytes\n", target, seeds.size(), total);
  }
  return 0;
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
    return 2;
  }
  return facegate::WriteCorpus(argv[1]);
}
