#include "trainer/command/photo_options.h"

namespace facegate {

void AddFaceFindingOptions(CLI::App& command, FaceCutOptions& options) {
  command.add_option("--landmarks", options.landmarks,
                     "File with a photo and ten numbers in each line, instead of a detector");
  command
      .add_option("--detector", options.detector,
                  "yunet where --yunet is given, else haar: a cascade of opencv-data and the "
                  "bundled landmark network; haar-eyes: cascades only")
      ->check(CLI::IsMember({"yunet", "haar", "haar-eyes"}));
  command.add_option("--yunet", options.yunet, "ONNX file of YuNet (2023)");
  command.add_option("--landmark-net", options.landmark_net,
                     "Another landmark network for haar (fit-landmarks makes one)");
}

void AddFaceCutOptions(CLI::App& command, FaceCutOptions& options) {
  AddFaceFindingOptions(command, options);
  command.add_flag("--crops", options.crops,
                   "All photos are aligned crops of the model's size; another size is an error");
  command
      .add_option("--centre-crop", options.centre_crop,
                  "All photos are aligned crops with more around the face: take the middle of so "
                  "many pixels (112 of 128, say)")
      ->check(CLI::PositiveNumber);
}

}  // namespace facegate
