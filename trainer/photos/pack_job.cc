#include "trainer/photos/pack_job.h"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "trainer/photos/pack_format.h"

namespace facegate {
namespace {

class PackSink final : public PhotoSink {
 public:
  PackSink(const MergedIdentities& merged, PackWriter& writer) : merged_(merged), writer_(writer) {}

  const std::vector<std::string>& classes() const { return classes_; }

  Status CheckNames(size_t identity, const std::string& name) const override {
    FACEGATE_RETURN_IF_ERROR(CheckName("its identity", merged_.identities[identity].name));
    return CheckName("it", name);
  }
  bool Holds(size_t /*identity*/, const CheckedPhoto& photo) const override {
    return writer_.Holds(photo.name, photo.image);
  }
  Status Take(size_t identity, uint32_t label, std::span<const CheckedPhoto> photos) override {
    if (label == classes_.size()) classes_.push_back(merged_.identities[identity].name);
    for (const CheckedPhoto& photo : photos) {
      FACEGATE_RETURN_IF_ERROR(
          writer_.Append({.label = label, .name = photo.name, .image = photo.image}));
    }
    return OkStatus();
  }

 private:
  static Status CheckName(std::string_view whose, const std::string& name) {
    if (!name.empty() && name.size() <= kMaxPackNameBytes) return OkStatus();
    return InvalidArgument(fmt::format("{} has a name of {} bytes, a pack holds 1 to {}", whose,
                                       name.size(), kMaxPackNameBytes));
  }

  const MergedIdentities& merged_;
  PackWriter& writer_;
  std::vector<std::string> classes_;
};

}  // namespace

StatusOr<PackReport> WritePack(const PackOptions& options, const PhotoJobEvents& events) {
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet sources,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<PackWriter> writer,
                            PackWriter::Open(options.out));
  PackReport report;
  report.continued_from = writer->found();
  PackSink sink(sources.merged, *writer);
  FACEGATE_ASSIGN_OR_RETURN(static_cast<PhotoJobReport&>(report),
                            RunPhotoJob(sources, options, events, sink));
  FACEGATE_ASSIGN_OR_RETURN(report.pack, writer->Finish(sink.classes()));
  return report;
}

}  // namespace facegate
