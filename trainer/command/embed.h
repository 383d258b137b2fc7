#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

struct EmbedOptions {
  PhotoEmbeddingOptions embedding{};
  std::vector<std::string> photos{};  // see OpenNamedPhotos()
  std::string root{};
  MissingPhotos missing = MissingPhotos::kRefuse;
  std::string out = "embeddings.npy";
  std::string names{};    // empty: `out` with .names.txt in place of .npy
  bool nan_rows = false;  // of photos without an embedding
  bool force = false;
  std::string projector{};  // see WriteProjectorFiles(); empty: none
};

struct EmbedReport {
  struct BadPhoto {
    std::string name;
    std::string fault;
  };
  size_t photos = 0;
  size_t rows = 0;
  size_t width = 0;
  size_t resumed = 0;                  // photos that an earlier process had done
  std::vector<BadPhoto> bad{};         // those without an embedding
  std::string names{};                 // the file
  size_t projected = 0;                // rows of the Projector's files
  std::vector<std::string> remarks{};  // how the photos were found, a line each
};

// Told at the start and after each batch how many photos are done; false stops the work, which can
// then be gone on with.
using EmbedProgress = std::function<bool(size_t done, size_t total)>;

// Embeds all photos into a .npy file, going on with what is there of it. kUnavailable when it was
// stopped.
StatusOr<EmbedReport> EmbedToFile(const EmbedOptions& options, const EmbedProgress& progress);

// `app` outlives the command.
TrainCommand AddEmbedCommand(CLI::App& app);

}  // namespace facegate
