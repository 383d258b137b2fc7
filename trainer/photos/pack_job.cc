#include "trainer/photos/pack_job.h"

#include <memory>
#include <utility>
#include <vector>

namespace facegate {
namespace {

class PackSink final : public PhotoSink {
 public:
  PackSink(const MergedIdentities& merged, PackWriter& writer) : merged_(merged), writer_(writer) {}

  const std::vector<std::string>& classes() const { return classes_; }

  bool Holds(size_t /*identity*/, const CheckedPhoto& photo) const override {
    return writer_.Holds(photo.name, photo.image);
  }
  Status Take(size_t identity, uint32_t label, std::span<const CheckedPhoto> photos) override {
    classes_.push_back(merged_.identities[identity].name);
    for (const CheckedPhoto& photo : photos) {
      FACEGATE_RETURN_IF_ERROR(
          writer_.Append({.label = label, .name = photo.name, .image = photo.image}));
    }
    return OkStatus();
  }

 private:
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
