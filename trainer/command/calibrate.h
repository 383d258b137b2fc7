#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/detect/face_quality.h"
#include "trainer/command/command.h"
#include "trainer/command/embed.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

struct CalibrateOptions {
  std::string model{};
  // Photos with a folder for each person, or their embeddings and the names of the rows.
  std::vector<std::string> photos{};
  std::string root{};  // of the photos of lists; empty: the list's own folder
  std::optional<std::string> embeddings{};
  std::string order{};  // empty: `embeddings` with .names.txt in place of .npy
  std::string set{};    // in words; empty: what was given, by its name
  std::string out{};    // the model file that is written; empty: `model`
  bool force = false;   // replace `out` where it exists
  bool dry_run = false;
  MissingPhotos missing = MissingPhotos::kRefuse;
  FaceCutOptions faces{.probe_quality = kDefaultProbeQuality};
  int threads = 0;
};

struct CalibrateReport {
  Calibration calibration;
  std::vector<std::string> remarks;  // a line each
  size_t resumed = 0;                // photos that an earlier process had done
};

// Makes the tables and writes them into the model's card. Embeddings of photos lie in
// OUT.calibration.npy until then, and a call that was stopped goes on with them; kUnavailable when
// it was stopped.
StatusOr<CalibrateReport> CalibrateModel(const CalibrateOptions& options,
                                         const EmbedProgress& progress);

// `app` outlives the command.
TrainCommand AddCalibrateCommand(CLI::App& app);

}  // namespace facegate
