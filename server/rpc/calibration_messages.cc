#include "server/rpc/calibration_messages.h"

#include "server/rpc/decision_messages.h"

namespace facegate {
namespace {

void FillRow(const CalibrationRow& row, v1::GetCalibrationResponse::Row* out) {
  out->set_threshold(static_cast<float>(row.threshold));
  FillErrorRate(v1::ERROR_RATE_KIND_FMR, row.fmr, out->mutable_fmr());
  if (row.fnmr.has_value()) {
    FillErrorRate(v1::ERROR_RATE_KIND_FNMR, *row.fnmr, out->mutable_fnmr());
  }
  FillErrorRate(v1::ERROR_RATE_KIND_FPIR, row.fpir, out->mutable_fpir());
}

}  // namespace

void FillCalibration(const CalibrationReport& report, v1::GetCalibrationResponse* out) {
  const Calibration& calibration = *report.calibration;
  out->set_calibration_id(calibration.id);
  out->set_set(calibration.set);
  out->set_people(calibration.people);
  out->set_photos(calibration.photos);
  out->set_photos_left_out(calibration.photos_left_out);
  out->set_impostor_pairs(calibration.impostor_pairs);
  out->set_genuine_people(calibration.genuine_people);
  out->set_genuine_pairs(calibration.genuine_pairs);
  out->set_probe_quality(calibration.probe_quality);
  out->set_searched_templates(report.searched_templates);
  for (const CalibrationRow& row : report.rows) FillRow(row, out->add_rows());
  if (report.default_row.has_value()) FillRow(*report.default_row, out->mutable_default_row());
  if (report.model_card_fmr.has_value()) {
    FillErrorRate(v1::ERROR_RATE_KIND_FMR, *report.model_card_fmr, out->mutable_model_card_fmr());
  }
  for (const std::string& warning : report.warnings) out->add_warnings(warning);
}

}  // namespace facegate
