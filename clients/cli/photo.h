#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "clients/cpp/client_result.h"
#include "facegate/v1/types.pb.h"

namespace facegate::cli {

// Says how photos become probes.
struct PhotoOptions {
  std::string select{};  // "single", "largest", "central", "all"; empty: the call's default
  bool crop = false;     // photos are aligned crops already
};

enum class AllowAll { kNo, kYes };

// Adds --select and --crop; `all` is offered where every face may be meant.
void AddPhotoOptions(CLI::App& app, PhotoOptions& options, AllowAll all);
// Adds --min-cosine.
void AddMinCosine(CLI::App& app, std::optional<float>& min_cosine, const std::string& description);

// Says where a match begins: --min-cosine, --fmr or --fpir, and --site-calibration.
class OperatingPointOptions {
 public:
  // --site-calibration is offered where there is a collection.
  void AddTo(CLI::App& app, bool within_collection);
  // Sets the request's operating point where one was given.
  template <typename Request>
  void CopyTo(Request& request) const {
    if (!given()) return;
    Fill(*request.mutable_operating_point());
  }

 private:
  bool given() const { return min_cosine_ || fmr_ || fpir_; }
  void Fill(v1::OperatingPoint& point) const;

  std::optional<float> min_cosine_;
  std::optional<double> fmr_;
  std::optional<double> fpir_;
  bool site_ = false;
};

// Adds --`name`, an error rate above 0 and below 1.
void AddErrorRate(CLI::App& app, const std::string& name, std::optional<double>& rate,
                  const std::string& description);

// Adds --`name`, a least quality.
void AddLeastQuality(CLI::App& app, const std::string& name, std::optional<float>& quality,
                     const std::string& description);

// UNSPECIFIED for an empty name.
v1::FaceSelection SelectionOf(const std::string& name);

// Tells where photos are read from, for the help of commands that take one.
inline constexpr char kPhotoHint[] = "; - reads one from standard input";

// The largest photo that is read.
inline constexpr uint64_t kMaxPhotoBytes = 64 << 20;

// The bytes of the file as they are; "-" is standard input, and pipes are read to their end. Fails
// for what is a folder, is empty, or is larger than that.
ClientResult<std::string> ReadPhoto(const std::string& path);
// ReadPhoto as a probe.
ClientResult<v1::Probe> ReadProbe(const std::string& path, const PhotoOptions& options);
// ReadProbe for Enroll: with the photo's SHA-256 as source_digest, by which it is known again.
ClientResult<v1::Probe> ReadSample(const std::string& path, const PhotoOptions& options);

}  // namespace facegate::cli
