package verify

// rules lists every rule in the order of docs/verification.md, which a test holds to it. Those of certificates are asked
// of each role: signer-chain, inner-chain, maker-chain, tsa-chain.
var rules = []*rule{
	signatureRule, byteRangeRule, contentsRule, valueRule, revisionRule, structureRule,
	packageRule, mainRule, officeSignatureRule, partsRule, coverageRule,
	xmlFormRule, xmlReferencesRule, xmlValueRule, xmlCertificateRule,
	cmsFormatRule, sealBindingRule, cmsAttributesRule, cmsValueRule,
	sesFormatRule, sesExtensionsRule, sesValueRule, sealHolderRule,
	sealFormatRule, sealExtensionsRule, sealValueRule, sealMadeRule, sealPeriodRule, sealStateRule,
	contentHashRule, sesPropertyRule,
	ledgerRule, withdrawnRule,
	pictureRule, laterRule, stampRule, timeRule,
}

// stampRules are asked of each time stamp.
var stampRules = []*rule{tokenFormatRule, tokenImprintRule, tokenValueRule, tsaPurposeRule, tokenTimeRule}

// certificateRules are asked of each role.
var certificateRules = []*rule{certificateRule, strengthRule, chainRule, validityRule, revocationRule, keyUsageRule}
